module @attention_window_blocks attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main(%arg0: tensor<1x140x1x2xf32>, %arg1: tensor<1x140x1x2xf32>, %arg2: tensor<1x140x1x2xf32>, %arg3: tensor<1x140xi32>, %arg4: tensor<1x140x1x2xf32>) -> (tensor<1x140x1x2xf32>, tensor<1x140x1x2xf32>, tensor<1x140x1x2xf32>, tensor<1x140x1x2xf32>) {
    %0 = stablehlo.reshape %arg0 : (tensor<1x140x1x2xf32>) -> tensor<1x140x1x1x2xf32>
    %1 = stablehlo.transpose %0, dims = [0, 2, 3, 1, 4] : (tensor<1x140x1x1x2xf32>) -> tensor<1x1x1x140x2xf32>
    %2 = stablehlo.transpose %arg1, dims = [0, 2, 1, 3] : (tensor<1x140x1x2xf32>) -> tensor<1x1x140x2xf32>
    %3 = stablehlo.transpose %arg2, dims = [0, 2, 1, 3] : (tensor<1x140x1x2xf32>) -> tensor<1x1x140x2xf32>
    %4 = stablehlo.slice %2 [0:1, 0:1, 0:64, 0:2] : (tensor<1x1x140x2xf32>) -> tensor<1x1x64x2xf32>
    %5 = stablehlo.slice %3 [0:1, 0:1, 0:64, 0:2] : (tensor<1x1x140x2xf32>) -> tensor<1x1x64x2xf32>
    %6 = stablehlo.slice %1 [0:1, 0:1, 0:1, 0:64, 0:2] : (tensor<1x1x1x140x2xf32>) -> tensor<1x1x1x64x2xf32>
    %7 = stablehlo.iota dim = 0 : tensor<64x64xi32>
    %8 = stablehlo.constant dense<0> : tensor<i32>
    %9 = stablehlo.broadcast_in_dim %8, dims = [] : (tensor<i32>) -> tensor<64x64xi32>
    %10 = stablehlo.add %7, %9 : tensor<64x64xi32>
    %11 = stablehlo.iota dim = 1 : tensor<64x64xi32>
    %12 = stablehlo.add %11, %9 : tensor<64x64xi32>
    %13 = stablehlo.compare LE, %12, %10, SIGNED : (tensor<64x64xi32>, tensor<64x64xi32>) -> tensor<64x64xi1>
    %14 = stablehlo.subtract %10, %12 : tensor<64x64xi32>
    %15 = stablehlo.constant dense<20> : tensor<i32>
    %16 = stablehlo.broadcast_in_dim %15, dims = [] : (tensor<i32>) -> tensor<64x64xi32>
    %17 = stablehlo.compare LT, %14, %16, SIGNED : (tensor<64x64xi32>, tensor<64x64xi32>) -> tensor<64x64xi1>
    %18 = stablehlo.and %13, %17 : tensor<64x64xi1>
    %19 = stablehlo.slice %arg3 [0:1, 0:64] : (tensor<1x140xi32>) -> tensor<1x64xi32>
    %20 = stablehlo.slice %arg3 [0:1, 0:64] : (tensor<1x140xi32>) -> tensor<1x64xi32>
    %21 = stablehlo.broadcast_in_dim %19, dims = [0, 1] : (tensor<1x64xi32>) -> tensor<1x64x64xi32>
    %22 = stablehlo.broadcast_in_dim %20, dims = [0, 2] : (tensor<1x64xi32>) -> tensor<1x64x64xi32>
    %23 = stablehlo.compare EQ, %21, %22, SIGNED : (tensor<1x64x64xi32>, tensor<1x64x64xi32>) -> tensor<1x64x64xi1>
    %24 = stablehlo.broadcast_in_dim %18, dims = [1, 2] : (tensor<64x64xi1>) -> tensor<1x64x64xi1>
    %25 = stablehlo.and %23, %24 : tensor<1x64x64xi1>
    %26 = stablehlo.dot_general %6, %4, batching_dims = [0, 1] x [0, 1], contracting_dims = [4] x [3], precision = [HIGHEST, HIGHEST] : (tensor<1x1x1x64x2xf32>, tensor<1x1x64x2xf32>) -> tensor<1x1x1x64x64xf32>
    %27 = stablehlo.constant dense<0.70710677> : tensor<f32>
    %28 = stablehlo.broadcast_in_dim %27, dims = [] : (tensor<f32>) -> tensor<1x1x1x64x64xf32>
    %29 = stablehlo.multiply %26, %28 : tensor<1x1x1x64x64xf32>
    %30 = stablehlo.constant dense<-1.0e30> : tensor<f32>
    %31 = stablehlo.broadcast_in_dim %25, dims = [0, 3, 4] : (tensor<1x64x64xi1>) -> tensor<1x1x1x64x64xi1>
    %32 = stablehlo.broadcast_in_dim %30, dims = [] : (tensor<f32>) -> tensor<1x1x1x64x64xf32>
    %33 = stablehlo.select %31, %29, %32 : tensor<1x1x1x64x64xi1>, tensor<1x1x1x64x64xf32>
    %34 = stablehlo.constant dense<0xFF800000> : tensor<f32>
    %35 = stablehlo.reduce(%33 init: %34) applies stablehlo.maximum across dimensions = [4] : (tensor<1x1x1x64x64xf32>, tensor<f32>) -> tensor<1x1x1x64xf32>
    %36 = stablehlo.broadcast_in_dim %35, dims = [0, 1, 2, 3] : (tensor<1x1x1x64xf32>) -> tensor<1x1x1x64x64xf32>
    %37 = stablehlo.subtract %33, %36 : tensor<1x1x1x64x64xf32>
    %38 = stablehlo.exponential %37 : tensor<1x1x1x64x64xf32>
    %39 = stablehlo.constant dense<0.0> : tensor<f32>
    %40 = stablehlo.reduce(%38 init: %39) applies stablehlo.add across dimensions = [4] : (tensor<1x1x1x64x64xf32>, tensor<f32>) -> tensor<1x1x1x64xf32>
    %41 = stablehlo.broadcast_in_dim %40, dims = [0, 1, 2, 3] : (tensor<1x1x1x64xf32>) -> tensor<1x1x1x64x64xf32>
    %42 = stablehlo.divide %38, %41 : tensor<1x1x1x64x64xf32>
    %43 = stablehlo.dot_general %42, %5, batching_dims = [0, 1] x [0, 1], contracting_dims = [4] x [2], precision = [HIGHEST, HIGHEST] : (tensor<1x1x1x64x64xf32>, tensor<1x1x64x2xf32>) -> tensor<1x1x1x64x2xf32>
    %44 = stablehlo.log %40 : tensor<1x1x1x64xf32>
    %45 = stablehlo.add %44, %35 : tensor<1x1x1x64xf32>
    %46 = stablehlo.slice %2 [0:1, 0:1, 45:128, 0:2] : (tensor<1x1x140x2xf32>) -> tensor<1x1x83x2xf32>
    %47 = stablehlo.slice %3 [0:1, 0:1, 45:128, 0:2] : (tensor<1x1x140x2xf32>) -> tensor<1x1x83x2xf32>
    %48 = stablehlo.slice %1 [0:1, 0:1, 0:1, 64:128, 0:2] : (tensor<1x1x1x140x2xf32>) -> tensor<1x1x1x64x2xf32>
    %49 = stablehlo.iota dim = 0 : tensor<64x83xi32>
    %50 = stablehlo.constant dense<64> : tensor<i32>
    %51 = stablehlo.broadcast_in_dim %50, dims = [] : (tensor<i32>) -> tensor<64x83xi32>
    %52 = stablehlo.add %49, %51 : tensor<64x83xi32>
    %53 = stablehlo.iota dim = 1 : tensor<64x83xi32>
    %54 = stablehlo.constant dense<45> : tensor<i32>
    %55 = stablehlo.broadcast_in_dim %54, dims = [] : (tensor<i32>) -> tensor<64x83xi32>
    %56 = stablehlo.add %53, %55 : tensor<64x83xi32>
    %57 = stablehlo.compare LE, %56, %52, SIGNED : (tensor<64x83xi32>, tensor<64x83xi32>) -> tensor<64x83xi1>
    %58 = stablehlo.subtract %52, %56 : tensor<64x83xi32>
    %59 = stablehlo.broadcast_in_dim %15, dims = [] : (tensor<i32>) -> tensor<64x83xi32>
    %60 = stablehlo.compare LT, %58, %59, SIGNED : (tensor<64x83xi32>, tensor<64x83xi32>) -> tensor<64x83xi1>
    %61 = stablehlo.and %57, %60 : tensor<64x83xi1>
    %62 = stablehlo.slice %arg3 [0:1, 64:128] : (tensor<1x140xi32>) -> tensor<1x64xi32>
    %63 = stablehlo.slice %arg3 [0:1, 45:128] : (tensor<1x140xi32>) -> tensor<1x83xi32>
    %64 = stablehlo.broadcast_in_dim %62, dims = [0, 1] : (tensor<1x64xi32>) -> tensor<1x64x83xi32>
    %65 = stablehlo.broadcast_in_dim %63, dims = [0, 2] : (tensor<1x83xi32>) -> tensor<1x64x83xi32>
    %66 = stablehlo.compare EQ, %64, %65, SIGNED : (tensor<1x64x83xi32>, tensor<1x64x83xi32>) -> tensor<1x64x83xi1>
    %67 = stablehlo.broadcast_in_dim %61, dims = [1, 2] : (tensor<64x83xi1>) -> tensor<1x64x83xi1>
    %68 = stablehlo.and %66, %67 : tensor<1x64x83xi1>
    %69 = stablehlo.dot_general %48, %46, batching_dims = [0, 1] x [0, 1], contracting_dims = [4] x [3], precision = [HIGHEST, HIGHEST] : (tensor<1x1x1x64x2xf32>, tensor<1x1x83x2xf32>) -> tensor<1x1x1x64x83xf32>
    %70 = stablehlo.broadcast_in_dim %27, dims = [] : (tensor<f32>) -> tensor<1x1x1x64x83xf32>
    %71 = stablehlo.multiply %69, %70 : tensor<1x1x1x64x83xf32>
    %72 = stablehlo.broadcast_in_dim %68, dims = [0, 3, 4] : (tensor<1x64x83xi1>) -> tensor<1x1x1x64x83xi1>
    %73 = stablehlo.broadcast_in_dim %30, dims = [] : (tensor<f32>) -> tensor<1x1x1x64x83xf32>
    %74 = stablehlo.select %72, %71, %73 : tensor<1x1x1x64x83xi1>, tensor<1x1x1x64x83xf32>
    %75 = stablehlo.constant dense<0xFF800000> : tensor<f32>
    %76 = stablehlo.reduce(%74 init: %75) applies stablehlo.maximum across dimensions = [4] : (tensor<1x1x1x64x83xf32>, tensor<f32>) -> tensor<1x1x1x64xf32>
    %77 = stablehlo.broadcast_in_dim %76, dims = [0, 1, 2, 3] : (tensor<1x1x1x64xf32>) -> tensor<1x1x1x64x83xf32>
    %78 = stablehlo.subtract %74, %77 : tensor<1x1x1x64x83xf32>
    %79 = stablehlo.exponential %78 : tensor<1x1x1x64x83xf32>
    %80 = stablehlo.constant dense<0.0> : tensor<f32>
    %81 = stablehlo.reduce(%79 init: %80) applies stablehlo.add across dimensions = [4] : (tensor<1x1x1x64x83xf32>, tensor<f32>) -> tensor<1x1x1x64xf32>
    %82 = stablehlo.broadcast_in_dim %81, dims = [0, 1, 2, 3] : (tensor<1x1x1x64xf32>) -> tensor<1x1x1x64x83xf32>
    %83 = stablehlo.divide %79, %82 : tensor<1x1x1x64x83xf32>
    %84 = stablehlo.dot_general %83, %47, batching_dims = [0, 1] x [0, 1], contracting_dims = [4] x [2], precision = [HIGHEST, HIGHEST] : (tensor<1x1x1x64x83xf32>, tensor<1x1x83x2xf32>) -> tensor<1x1x1x64x2xf32>
    %85 = stablehlo.log %81 : tensor<1x1x1x64xf32>
    %86 = stablehlo.add %85, %76 : tensor<1x1x1x64xf32>
    %87 = stablehlo.slice %2 [0:1, 0:1, 109:140, 0:2] : (tensor<1x1x140x2xf32>) -> tensor<1x1x31x2xf32>
    %88 = stablehlo.slice %3 [0:1, 0:1, 109:140, 0:2] : (tensor<1x1x140x2xf32>) -> tensor<1x1x31x2xf32>
    %89 = stablehlo.slice %1 [0:1, 0:1, 0:1, 128:140, 0:2] : (tensor<1x1x1x140x2xf32>) -> tensor<1x1x1x12x2xf32>
    %90 = stablehlo.iota dim = 0 : tensor<12x31xi32>
    %91 = stablehlo.constant dense<128> : tensor<i32>
    %92 = stablehlo.broadcast_in_dim %91, dims = [] : (tensor<i32>) -> tensor<12x31xi32>
    %93 = stablehlo.add %90, %92 : tensor<12x31xi32>
    %94 = stablehlo.iota dim = 1 : tensor<12x31xi32>
    %95 = stablehlo.constant dense<109> : tensor<i32>
    %96 = stablehlo.broadcast_in_dim %95, dims = [] : (tensor<i32>) -> tensor<12x31xi32>
    %97 = stablehlo.add %94, %96 : tensor<12x31xi32>
    %98 = stablehlo.compare LE, %97, %93, SIGNED : (tensor<12x31xi32>, tensor<12x31xi32>) -> tensor<12x31xi1>
    %99 = stablehlo.subtract %93, %97 : tensor<12x31xi32>
    %100 = stablehlo.broadcast_in_dim %15, dims = [] : (tensor<i32>) -> tensor<12x31xi32>
    %101 = stablehlo.compare LT, %99, %100, SIGNED : (tensor<12x31xi32>, tensor<12x31xi32>) -> tensor<12x31xi1>
    %102 = stablehlo.and %98, %101 : tensor<12x31xi1>
    %103 = stablehlo.slice %arg3 [0:1, 128:140] : (tensor<1x140xi32>) -> tensor<1x12xi32>
    %104 = stablehlo.slice %arg3 [0:1, 109:140] : (tensor<1x140xi32>) -> tensor<1x31xi32>
    %105 = stablehlo.broadcast_in_dim %103, dims = [0, 1] : (tensor<1x12xi32>) -> tensor<1x12x31xi32>
    %106 = stablehlo.broadcast_in_dim %104, dims = [0, 2] : (tensor<1x31xi32>) -> tensor<1x12x31xi32>
    %107 = stablehlo.compare EQ, %105, %106, SIGNED : (tensor<1x12x31xi32>, tensor<1x12x31xi32>) -> tensor<1x12x31xi1>
    %108 = stablehlo.broadcast_in_dim %102, dims = [1, 2] : (tensor<12x31xi1>) -> tensor<1x12x31xi1>
    %109 = stablehlo.and %107, %108 : tensor<1x12x31xi1>
    %110 = stablehlo.dot_general %89, %87, batching_dims = [0, 1] x [0, 1], contracting_dims = [4] x [3], precision = [HIGHEST, HIGHEST] : (tensor<1x1x1x12x2xf32>, tensor<1x1x31x2xf32>) -> tensor<1x1x1x12x31xf32>
    %111 = stablehlo.broadcast_in_dim %27, dims = [] : (tensor<f32>) -> tensor<1x1x1x12x31xf32>
    %112 = stablehlo.multiply %110, %111 : tensor<1x1x1x12x31xf32>
    %113 = stablehlo.broadcast_in_dim %109, dims = [0, 3, 4] : (tensor<1x12x31xi1>) -> tensor<1x1x1x12x31xi1>
    %114 = stablehlo.broadcast_in_dim %30, dims = [] : (tensor<f32>) -> tensor<1x1x1x12x31xf32>
    %115 = stablehlo.select %113, %112, %114 : tensor<1x1x1x12x31xi1>, tensor<1x1x1x12x31xf32>
    %116 = stablehlo.constant dense<0xFF800000> : tensor<f32>
    %117 = stablehlo.reduce(%115 init: %116) applies stablehlo.maximum across dimensions = [4] : (tensor<1x1x1x12x31xf32>, tensor<f32>) -> tensor<1x1x1x12xf32>
    %118 = stablehlo.broadcast_in_dim %117, dims = [0, 1, 2, 3] : (tensor<1x1x1x12xf32>) -> tensor<1x1x1x12x31xf32>
    %119 = stablehlo.subtract %115, %118 : tensor<1x1x1x12x31xf32>
    %120 = stablehlo.exponential %119 : tensor<1x1x1x12x31xf32>
    %121 = stablehlo.constant dense<0.0> : tensor<f32>
    %122 = stablehlo.reduce(%120 init: %121) applies stablehlo.add across dimensions = [4] : (tensor<1x1x1x12x31xf32>, tensor<f32>) -> tensor<1x1x1x12xf32>
    %123 = stablehlo.broadcast_in_dim %122, dims = [0, 1, 2, 3] : (tensor<1x1x1x12xf32>) -> tensor<1x1x1x12x31xf32>
    %124 = stablehlo.divide %120, %123 : tensor<1x1x1x12x31xf32>
    %125 = stablehlo.dot_general %124, %88, batching_dims = [0, 1] x [0, 1], contracting_dims = [4] x [2], precision = [HIGHEST, HIGHEST] : (tensor<1x1x1x12x31xf32>, tensor<1x1x31x2xf32>) -> tensor<1x1x1x12x2xf32>
    %126 = stablehlo.log %122 : tensor<1x1x1x12xf32>
    %127 = stablehlo.add %126, %117 : tensor<1x1x1x12xf32>
    %128 = stablehlo.concatenate %45, %86, %127, dim = 3 : (tensor<1x1x1x64xf32>, tensor<1x1x1x64xf32>, tensor<1x1x1x12xf32>) -> tensor<1x1x1x140xf32>
    %129 = stablehlo.reshape %128 : (tensor<1x1x1x140xf32>) -> tensor<1x1x140xf32>
    %130 = stablehlo.concatenate %43, %84, %125, dim = 3 : (tensor<1x1x1x64x2xf32>, tensor<1x1x1x64x2xf32>, tensor<1x1x1x12x2xf32>) -> tensor<1x1x1x140x2xf32>
    %131 = stablehlo.transpose %130, dims = [0, 3, 1, 2, 4] : (tensor<1x1x1x140x2xf32>) -> tensor<1x140x1x1x2xf32>
    %132 = stablehlo.reshape %131 : (tensor<1x140x1x1x2xf32>) -> tensor<1x140x1x2xf32>
    %133 = stablehlo.reshape %132 : (tensor<1x140x1x2xf32>) -> tensor<1x140x1x1x2xf32>
    %134 = stablehlo.transpose %133, dims = [0, 2, 3, 1, 4] : (tensor<1x140x1x1x2xf32>) -> tensor<1x1x1x140x2xf32>
    %135 = stablehlo.reshape %arg4 : (tensor<1x140x1x2xf32>) -> tensor<1x140x1x1x2xf32>
    %136 = stablehlo.transpose %135, dims = [0, 2, 3, 1, 4] : (tensor<1x140x1x1x2xf32>) -> tensor<1x1x1x140x2xf32>
    %137 = stablehlo.reshape %129 : (tensor<1x1x140xf32>) -> tensor<1x1x1x140xf32>
    %138 = stablehlo.multiply %136, %134 : tensor<1x1x1x140x2xf32>
    %139 = stablehlo.constant dense<0.0> : tensor<f32>
    %140 = stablehlo.reduce(%138 init: %139) applies stablehlo.add across dimensions = [4] : (tensor<1x1x1x140x2xf32>, tensor<f32>) -> tensor<1x1x1x140xf32>
    %141 = stablehlo.slice %137 [0:1, 0:1, 0:1, 0:64] : (tensor<1x1x1x140xf32>) -> tensor<1x1x1x64xf32>
    %142 = stablehlo.broadcast_in_dim %141, dims = [0, 1, 2, 3] : (tensor<1x1x1x64xf32>) -> tensor<1x1x1x64x64xf32>
    %143 = stablehlo.subtract %33, %142 : tensor<1x1x1x64x64xf32>
    %144 = stablehlo.exponential %143 : tensor<1x1x1x64x64xf32>
    %145 = stablehlo.slice %136 [0:1, 0:1, 0:1, 0:64, 0:2] : (tensor<1x1x1x140x2xf32>) -> tensor<1x1x1x64x2xf32>
    %146 = stablehlo.dot_general %145, %5, batching_dims = [0, 1] x [0, 1], contracting_dims = [4] x [3], precision = [HIGHEST, HIGHEST] : (tensor<1x1x1x64x2xf32>, tensor<1x1x64x2xf32>) -> tensor<1x1x1x64x64xf32>
    %147 = stablehlo.slice %140 [0:1, 0:1, 0:1, 0:64] : (tensor<1x1x1x140xf32>) -> tensor<1x1x1x64xf32>
    %148 = stablehlo.broadcast_in_dim %147, dims = [0, 1, 2, 3] : (tensor<1x1x1x64xf32>) -> tensor<1x1x1x64x64xf32>
    %149 = stablehlo.subtract %146, %148 : tensor<1x1x1x64x64xf32>
    %150 = stablehlo.multiply %144, %149 : tensor<1x1x1x64x64xf32>
    %151 = stablehlo.multiply %150, %28 : tensor<1x1x1x64x64xf32>
    %152 = stablehlo.dot_general %151, %4, batching_dims = [0, 1] x [0, 1], contracting_dims = [4] x [2], precision = [HIGHEST, HIGHEST] : (tensor<1x1x1x64x64xf32>, tensor<1x1x64x2xf32>) -> tensor<1x1x1x64x2xf32>
    %153 = stablehlo.dot_general %151, %6, batching_dims = [0, 1] x [0, 1], contracting_dims = [2, 3] x [2, 3], precision = [HIGHEST, HIGHEST] : (tensor<1x1x1x64x64xf32>, tensor<1x1x1x64x2xf32>) -> tensor<1x1x64x2xf32>
    %154 = stablehlo.constant dense<0.0> : tensor<f32>
    %155 = stablehlo.pad %153, %154, low = [0, 0, 0, 0], high = [0, 0, 76, 0], interior = [0, 0, 0, 0] : (tensor<1x1x64x2xf32>, tensor<f32>) -> tensor<1x1x140x2xf32>
    %156 = stablehlo.dot_general %144, %145, batching_dims = [0, 1] x [0, 1], contracting_dims = [2, 3] x [2, 3], precision = [HIGHEST, HIGHEST] : (tensor<1x1x1x64x64xf32>, tensor<1x1x1x64x2xf32>) -> tensor<1x1x64x2xf32>
    %157 = stablehlo.constant dense<0.0> : tensor<f32>
    %158 = stablehlo.pad %156, %157, low = [0, 0, 0, 0], high = [0, 0, 76, 0], interior = [0, 0, 0, 0] : (tensor<1x1x64x2xf32>, tensor<f32>) -> tensor<1x1x140x2xf32>
    %159 = stablehlo.slice %137 [0:1, 0:1, 0:1, 64:128] : (tensor<1x1x1x140xf32>) -> tensor<1x1x1x64xf32>
    %160 = stablehlo.broadcast_in_dim %159, dims = [0, 1, 2, 3] : (tensor<1x1x1x64xf32>) -> tensor<1x1x1x64x83xf32>
    %161 = stablehlo.subtract %74, %160 : tensor<1x1x1x64x83xf32>
    %162 = stablehlo.exponential %161 : tensor<1x1x1x64x83xf32>
    %163 = stablehlo.slice %136 [0:1, 0:1, 0:1, 64:128, 0:2] : (tensor<1x1x1x140x2xf32>) -> tensor<1x1x1x64x2xf32>
    %164 = stablehlo.dot_general %163, %47, batching_dims = [0, 1] x [0, 1], contracting_dims = [4] x [3], precision = [HIGHEST, HIGHEST] : (tensor<1x1x1x64x2xf32>, tensor<1x1x83x2xf32>) -> tensor<1x1x1x64x83xf32>
    %165 = stablehlo.slice %140 [0:1, 0:1, 0:1, 64:128] : (tensor<1x1x1x140xf32>) -> tensor<1x1x1x64xf32>
    %166 = stablehlo.broadcast_in_dim %165, dims = [0, 1, 2, 3] : (tensor<1x1x1x64xf32>) -> tensor<1x1x1x64x83xf32>
    %167 = stablehlo.subtract %164, %166 : tensor<1x1x1x64x83xf32>
    %168 = stablehlo.multiply %162, %167 : tensor<1x1x1x64x83xf32>
    %169 = stablehlo.multiply %168, %70 : tensor<1x1x1x64x83xf32>
    %170 = stablehlo.dot_general %169, %46, batching_dims = [0, 1] x [0, 1], contracting_dims = [4] x [2], precision = [HIGHEST, HIGHEST] : (tensor<1x1x1x64x83xf32>, tensor<1x1x83x2xf32>) -> tensor<1x1x1x64x2xf32>
    %171 = stablehlo.dot_general %169, %48, batching_dims = [0, 1] x [0, 1], contracting_dims = [2, 3] x [2, 3], precision = [HIGHEST, HIGHEST] : (tensor<1x1x1x64x83xf32>, tensor<1x1x1x64x2xf32>) -> tensor<1x1x83x2xf32>
    %172 = stablehlo.constant dense<0.0> : tensor<f32>
    %173 = stablehlo.pad %171, %172, low = [0, 0, 45, 0], high = [0, 0, 12, 0], interior = [0, 0, 0, 0] : (tensor<1x1x83x2xf32>, tensor<f32>) -> tensor<1x1x140x2xf32>
    %174 = stablehlo.dot_general %162, %163, batching_dims = [0, 1] x [0, 1], contracting_dims = [2, 3] x [2, 3], precision = [HIGHEST, HIGHEST] : (tensor<1x1x1x64x83xf32>, tensor<1x1x1x64x2xf32>) -> tensor<1x1x83x2xf32>
    %175 = stablehlo.constant dense<0.0> : tensor<f32>
    %176 = stablehlo.pad %174, %175, low = [0, 0, 45, 0], high = [0, 0, 12, 0], interior = [0, 0, 0, 0] : (tensor<1x1x83x2xf32>, tensor<f32>) -> tensor<1x1x140x2xf32>
    %177 = stablehlo.add %155, %173 : tensor<1x1x140x2xf32>
    %178 = stablehlo.add %158, %176 : tensor<1x1x140x2xf32>
    %179 = stablehlo.slice %137 [0:1, 0:1, 0:1, 128:140] : (tensor<1x1x1x140xf32>) -> tensor<1x1x1x12xf32>
    %180 = stablehlo.broadcast_in_dim %179, dims = [0, 1, 2, 3] : (tensor<1x1x1x12xf32>) -> tensor<1x1x1x12x31xf32>
    %181 = stablehlo.subtract %115, %180 : tensor<1x1x1x12x31xf32>
    %182 = stablehlo.exponential %181 : tensor<1x1x1x12x31xf32>
    %183 = stablehlo.slice %136 [0:1, 0:1, 0:1, 128:140, 0:2] : (tensor<1x1x1x140x2xf32>) -> tensor<1x1x1x12x2xf32>
    %184 = stablehlo.dot_general %183, %88, batching_dims = [0, 1] x [0, 1], contracting_dims = [4] x [3], precision = [HIGHEST, HIGHEST] : (tensor<1x1x1x12x2xf32>, tensor<1x1x31x2xf32>) -> tensor<1x1x1x12x31xf32>
    %185 = stablehlo.slice %140 [0:1, 0:1, 0:1, 128:140] : (tensor<1x1x1x140xf32>) -> tensor<1x1x1x12xf32>
    %186 = stablehlo.broadcast_in_dim %185, dims = [0, 1, 2, 3] : (tensor<1x1x1x12xf32>) -> tensor<1x1x1x12x31xf32>
    %187 = stablehlo.subtract %184, %186 : tensor<1x1x1x12x31xf32>
    %188 = stablehlo.multiply %182, %187 : tensor<1x1x1x12x31xf32>
    %189 = stablehlo.multiply %188, %111 : tensor<1x1x1x12x31xf32>
    %190 = stablehlo.dot_general %189, %87, batching_dims = [0, 1] x [0, 1], contracting_dims = [4] x [2], precision = [HIGHEST, HIGHEST] : (tensor<1x1x1x12x31xf32>, tensor<1x1x31x2xf32>) -> tensor<1x1x1x12x2xf32>
    %191 = stablehlo.dot_general %189, %89, batching_dims = [0, 1] x [0, 1], contracting_dims = [2, 3] x [2, 3], precision = [HIGHEST, HIGHEST] : (tensor<1x1x1x12x31xf32>, tensor<1x1x1x12x2xf32>) -> tensor<1x1x31x2xf32>
    %192 = stablehlo.constant dense<0.0> : tensor<f32>
    %193 = stablehlo.pad %191, %192, low = [0, 0, 109, 0], high = [0, 0, 0, 0], interior = [0, 0, 0, 0] : (tensor<1x1x31x2xf32>, tensor<f32>) -> tensor<1x1x140x2xf32>
    %194 = stablehlo.dot_general %182, %183, batching_dims = [0, 1] x [0, 1], contracting_dims = [2, 3] x [2, 3], precision = [HIGHEST, HIGHEST] : (tensor<1x1x1x12x31xf32>, tensor<1x1x1x12x2xf32>) -> tensor<1x1x31x2xf32>
    %195 = stablehlo.constant dense<0.0> : tensor<f32>
    %196 = stablehlo.pad %194, %195, low = [0, 0, 109, 0], high = [0, 0, 0, 0], interior = [0, 0, 0, 0] : (tensor<1x1x31x2xf32>, tensor<f32>) -> tensor<1x1x140x2xf32>
    %197 = stablehlo.add %177, %193 : tensor<1x1x140x2xf32>
    %198 = stablehlo.add %178, %196 : tensor<1x1x140x2xf32>
    %199 = stablehlo.concatenate %152, %170, %190, dim = 3 : (tensor<1x1x1x64x2xf32>, tensor<1x1x1x64x2xf32>, tensor<1x1x1x12x2xf32>) -> tensor<1x1x1x140x2xf32>
    %200 = stablehlo.transpose %199, dims = [0, 3, 1, 2, 4] : (tensor<1x1x1x140x2xf32>) -> tensor<1x140x1x1x2xf32>
    %201 = stablehlo.reshape %200 : (tensor<1x140x1x1x2xf32>) -> tensor<1x140x1x2xf32>
    %202 = stablehlo.transpose %197, dims = [0, 2, 1, 3] : (tensor<1x1x140x2xf32>) -> tensor<1x140x1x2xf32>
    %203 = stablehlo.transpose %198, dims = [0, 2, 1, 3] : (tensor<1x1x140x2xf32>) -> tensor<1x140x1x2xf32>
    return %132, %201, %202, %203 : tensor<1x140x1x2xf32>, tensor<1x140x1x2xf32>, tensor<1x140x1x2xf32>, tensor<1x140x1x2xf32>
  }
}
