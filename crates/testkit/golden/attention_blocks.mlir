module @attention_blocks attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main(%arg0: tensor<1x131x2x3xf32>, %arg1: tensor<1x131x1x3xf32>, %arg2: tensor<1x131x1x3xf32>, %arg3: tensor<1x131xi32>, %arg4: tensor<1x131x2x3xf32>) -> (tensor<1x131x2x3xf32>, tensor<1x131x2x3xf32>, tensor<1x131x1x3xf32>, tensor<1x131x1x3xf32>) {
    %0 = stablehlo.reshape %arg0 : (tensor<1x131x2x3xf32>) -> tensor<1x131x1x2x3xf32>
    %1 = stablehlo.transpose %0, dims = [0, 2, 3, 1, 4] : (tensor<1x131x1x2x3xf32>) -> tensor<1x1x2x131x3xf32>
    %2 = stablehlo.transpose %arg1, dims = [0, 2, 1, 3] : (tensor<1x131x1x3xf32>) -> tensor<1x1x131x3xf32>
    %3 = stablehlo.transpose %arg2, dims = [0, 2, 1, 3] : (tensor<1x131x1x3xf32>) -> tensor<1x1x131x3xf32>
    %4 = stablehlo.slice %2 [0:1, 0:1, 0:64, 0:3] : (tensor<1x1x131x3xf32>) -> tensor<1x1x64x3xf32>
    %5 = stablehlo.slice %3 [0:1, 0:1, 0:64, 0:3] : (tensor<1x1x131x3xf32>) -> tensor<1x1x64x3xf32>
    %6 = stablehlo.slice %1 [0:1, 0:1, 0:2, 0:64, 0:3] : (tensor<1x1x2x131x3xf32>) -> tensor<1x1x2x64x3xf32>
    %7 = stablehlo.iota dim = 0 : tensor<64x64xi32>
    %8 = stablehlo.constant dense<0> : tensor<i32>
    %9 = stablehlo.broadcast_in_dim %8, dims = [] : (tensor<i32>) -> tensor<64x64xi32>
    %10 = stablehlo.add %7, %9 : tensor<64x64xi32>
    %11 = stablehlo.iota dim = 1 : tensor<64x64xi32>
    %12 = stablehlo.add %11, %9 : tensor<64x64xi32>
    %13 = stablehlo.compare LE, %12, %10, SIGNED : (tensor<64x64xi32>, tensor<64x64xi32>) -> tensor<64x64xi1>
    %14 = stablehlo.slice %arg3 [0:1, 0:64] : (tensor<1x131xi32>) -> tensor<1x64xi32>
    %15 = stablehlo.slice %arg3 [0:1, 0:64] : (tensor<1x131xi32>) -> tensor<1x64xi32>
    %16 = stablehlo.broadcast_in_dim %14, dims = [0, 1] : (tensor<1x64xi32>) -> tensor<1x64x64xi32>
    %17 = stablehlo.broadcast_in_dim %15, dims = [0, 2] : (tensor<1x64xi32>) -> tensor<1x64x64xi32>
    %18 = stablehlo.compare EQ, %16, %17, SIGNED : (tensor<1x64x64xi32>, tensor<1x64x64xi32>) -> tensor<1x64x64xi1>
    %19 = stablehlo.broadcast_in_dim %13, dims = [1, 2] : (tensor<64x64xi1>) -> tensor<1x64x64xi1>
    %20 = stablehlo.and %18, %19 : tensor<1x64x64xi1>
    %21 = stablehlo.dot_general %6, %4, batching_dims = [0, 1] x [0, 1], contracting_dims = [4] x [3], precision = [HIGHEST, HIGHEST] : (tensor<1x1x2x64x3xf32>, tensor<1x1x64x3xf32>) -> tensor<1x1x2x64x64xf32>
    %22 = stablehlo.constant dense<0.57735026> : tensor<f32>
    %23 = stablehlo.broadcast_in_dim %22, dims = [] : (tensor<f32>) -> tensor<1x1x2x64x64xf32>
    %24 = stablehlo.multiply %21, %23 : tensor<1x1x2x64x64xf32>
    %25 = stablehlo.constant dense<-1.0e30> : tensor<f32>
    %26 = stablehlo.broadcast_in_dim %20, dims = [0, 3, 4] : (tensor<1x64x64xi1>) -> tensor<1x1x2x64x64xi1>
    %27 = stablehlo.broadcast_in_dim %25, dims = [] : (tensor<f32>) -> tensor<1x1x2x64x64xf32>
    %28 = stablehlo.select %26, %24, %27 : tensor<1x1x2x64x64xi1>, tensor<1x1x2x64x64xf32>
    %29 = stablehlo.constant dense<0xFF800000> : tensor<f32>
    %30 = stablehlo.reduce(%28 init: %29) applies stablehlo.maximum across dimensions = [4] : (tensor<1x1x2x64x64xf32>, tensor<f32>) -> tensor<1x1x2x64xf32>
    %31 = stablehlo.broadcast_in_dim %30, dims = [0, 1, 2, 3] : (tensor<1x1x2x64xf32>) -> tensor<1x1x2x64x64xf32>
    %32 = stablehlo.subtract %28, %31 : tensor<1x1x2x64x64xf32>
    %33 = stablehlo.exponential %32 : tensor<1x1x2x64x64xf32>
    %34 = stablehlo.constant dense<0.0> : tensor<f32>
    %35 = stablehlo.reduce(%33 init: %34) applies stablehlo.add across dimensions = [4] : (tensor<1x1x2x64x64xf32>, tensor<f32>) -> tensor<1x1x2x64xf32>
    %36 = stablehlo.broadcast_in_dim %35, dims = [0, 1, 2, 3] : (tensor<1x1x2x64xf32>) -> tensor<1x1x2x64x64xf32>
    %37 = stablehlo.divide %33, %36 : tensor<1x1x2x64x64xf32>
    %38 = stablehlo.dot_general %37, %5, batching_dims = [0, 1] x [0, 1], contracting_dims = [4] x [2], precision = [HIGHEST, HIGHEST] : (tensor<1x1x2x64x64xf32>, tensor<1x1x64x3xf32>) -> tensor<1x1x2x64x3xf32>
    %39 = stablehlo.log %35 : tensor<1x1x2x64xf32>
    %40 = stablehlo.add %39, %30 : tensor<1x1x2x64xf32>
    %41 = stablehlo.slice %2 [0:1, 0:1, 0:128, 0:3] : (tensor<1x1x131x3xf32>) -> tensor<1x1x128x3xf32>
    %42 = stablehlo.slice %3 [0:1, 0:1, 0:128, 0:3] : (tensor<1x1x131x3xf32>) -> tensor<1x1x128x3xf32>
    %43 = stablehlo.slice %1 [0:1, 0:1, 0:2, 64:128, 0:3] : (tensor<1x1x2x131x3xf32>) -> tensor<1x1x2x64x3xf32>
    %44 = stablehlo.iota dim = 0 : tensor<64x128xi32>
    %45 = stablehlo.constant dense<64> : tensor<i32>
    %46 = stablehlo.broadcast_in_dim %45, dims = [] : (tensor<i32>) -> tensor<64x128xi32>
    %47 = stablehlo.add %44, %46 : tensor<64x128xi32>
    %48 = stablehlo.iota dim = 1 : tensor<64x128xi32>
    %49 = stablehlo.broadcast_in_dim %8, dims = [] : (tensor<i32>) -> tensor<64x128xi32>
    %50 = stablehlo.add %48, %49 : tensor<64x128xi32>
    %51 = stablehlo.compare LE, %50, %47, SIGNED : (tensor<64x128xi32>, tensor<64x128xi32>) -> tensor<64x128xi1>
    %52 = stablehlo.slice %arg3 [0:1, 64:128] : (tensor<1x131xi32>) -> tensor<1x64xi32>
    %53 = stablehlo.slice %arg3 [0:1, 0:128] : (tensor<1x131xi32>) -> tensor<1x128xi32>
    %54 = stablehlo.broadcast_in_dim %52, dims = [0, 1] : (tensor<1x64xi32>) -> tensor<1x64x128xi32>
    %55 = stablehlo.broadcast_in_dim %53, dims = [0, 2] : (tensor<1x128xi32>) -> tensor<1x64x128xi32>
    %56 = stablehlo.compare EQ, %54, %55, SIGNED : (tensor<1x64x128xi32>, tensor<1x64x128xi32>) -> tensor<1x64x128xi1>
    %57 = stablehlo.broadcast_in_dim %51, dims = [1, 2] : (tensor<64x128xi1>) -> tensor<1x64x128xi1>
    %58 = stablehlo.and %56, %57 : tensor<1x64x128xi1>
    %59 = stablehlo.dot_general %43, %41, batching_dims = [0, 1] x [0, 1], contracting_dims = [4] x [3], precision = [HIGHEST, HIGHEST] : (tensor<1x1x2x64x3xf32>, tensor<1x1x128x3xf32>) -> tensor<1x1x2x64x128xf32>
    %60 = stablehlo.broadcast_in_dim %22, dims = [] : (tensor<f32>) -> tensor<1x1x2x64x128xf32>
    %61 = stablehlo.multiply %59, %60 : tensor<1x1x2x64x128xf32>
    %62 = stablehlo.broadcast_in_dim %58, dims = [0, 3, 4] : (tensor<1x64x128xi1>) -> tensor<1x1x2x64x128xi1>
    %63 = stablehlo.broadcast_in_dim %25, dims = [] : (tensor<f32>) -> tensor<1x1x2x64x128xf32>
    %64 = stablehlo.select %62, %61, %63 : tensor<1x1x2x64x128xi1>, tensor<1x1x2x64x128xf32>
    %65 = stablehlo.constant dense<0xFF800000> : tensor<f32>
    %66 = stablehlo.reduce(%64 init: %65) applies stablehlo.maximum across dimensions = [4] : (tensor<1x1x2x64x128xf32>, tensor<f32>) -> tensor<1x1x2x64xf32>
    %67 = stablehlo.broadcast_in_dim %66, dims = [0, 1, 2, 3] : (tensor<1x1x2x64xf32>) -> tensor<1x1x2x64x128xf32>
    %68 = stablehlo.subtract %64, %67 : tensor<1x1x2x64x128xf32>
    %69 = stablehlo.exponential %68 : tensor<1x1x2x64x128xf32>
    %70 = stablehlo.constant dense<0.0> : tensor<f32>
    %71 = stablehlo.reduce(%69 init: %70) applies stablehlo.add across dimensions = [4] : (tensor<1x1x2x64x128xf32>, tensor<f32>) -> tensor<1x1x2x64xf32>
    %72 = stablehlo.broadcast_in_dim %71, dims = [0, 1, 2, 3] : (tensor<1x1x2x64xf32>) -> tensor<1x1x2x64x128xf32>
    %73 = stablehlo.divide %69, %72 : tensor<1x1x2x64x128xf32>
    %74 = stablehlo.dot_general %73, %42, batching_dims = [0, 1] x [0, 1], contracting_dims = [4] x [2], precision = [HIGHEST, HIGHEST] : (tensor<1x1x2x64x128xf32>, tensor<1x1x128x3xf32>) -> tensor<1x1x2x64x3xf32>
    %75 = stablehlo.log %71 : tensor<1x1x2x64xf32>
    %76 = stablehlo.add %75, %66 : tensor<1x1x2x64xf32>
    %77 = stablehlo.slice %1 [0:1, 0:1, 0:2, 128:131, 0:3] : (tensor<1x1x2x131x3xf32>) -> tensor<1x1x2x3x3xf32>
    %78 = stablehlo.iota dim = 0 : tensor<3x131xi32>
    %79 = stablehlo.constant dense<128> : tensor<i32>
    %80 = stablehlo.broadcast_in_dim %79, dims = [] : (tensor<i32>) -> tensor<3x131xi32>
    %81 = stablehlo.add %78, %80 : tensor<3x131xi32>
    %82 = stablehlo.iota dim = 1 : tensor<3x131xi32>
    %83 = stablehlo.broadcast_in_dim %8, dims = [] : (tensor<i32>) -> tensor<3x131xi32>
    %84 = stablehlo.add %82, %83 : tensor<3x131xi32>
    %85 = stablehlo.compare LE, %84, %81, SIGNED : (tensor<3x131xi32>, tensor<3x131xi32>) -> tensor<3x131xi1>
    %86 = stablehlo.slice %arg3 [0:1, 128:131] : (tensor<1x131xi32>) -> tensor<1x3xi32>
    %87 = stablehlo.broadcast_in_dim %86, dims = [0, 1] : (tensor<1x3xi32>) -> tensor<1x3x131xi32>
    %88 = stablehlo.broadcast_in_dim %arg3, dims = [0, 2] : (tensor<1x131xi32>) -> tensor<1x3x131xi32>
    %89 = stablehlo.compare EQ, %87, %88, SIGNED : (tensor<1x3x131xi32>, tensor<1x3x131xi32>) -> tensor<1x3x131xi1>
    %90 = stablehlo.broadcast_in_dim %85, dims = [1, 2] : (tensor<3x131xi1>) -> tensor<1x3x131xi1>
    %91 = stablehlo.and %89, %90 : tensor<1x3x131xi1>
    %92 = stablehlo.dot_general %77, %2, batching_dims = [0, 1] x [0, 1], contracting_dims = [4] x [3], precision = [HIGHEST, HIGHEST] : (tensor<1x1x2x3x3xf32>, tensor<1x1x131x3xf32>) -> tensor<1x1x2x3x131xf32>
    %93 = stablehlo.broadcast_in_dim %22, dims = [] : (tensor<f32>) -> tensor<1x1x2x3x131xf32>
    %94 = stablehlo.multiply %92, %93 : tensor<1x1x2x3x131xf32>
    %95 = stablehlo.broadcast_in_dim %91, dims = [0, 3, 4] : (tensor<1x3x131xi1>) -> tensor<1x1x2x3x131xi1>
    %96 = stablehlo.broadcast_in_dim %25, dims = [] : (tensor<f32>) -> tensor<1x1x2x3x131xf32>
    %97 = stablehlo.select %95, %94, %96 : tensor<1x1x2x3x131xi1>, tensor<1x1x2x3x131xf32>
    %98 = stablehlo.constant dense<0xFF800000> : tensor<f32>
    %99 = stablehlo.reduce(%97 init: %98) applies stablehlo.maximum across dimensions = [4] : (tensor<1x1x2x3x131xf32>, tensor<f32>) -> tensor<1x1x2x3xf32>
    %100 = stablehlo.broadcast_in_dim %99, dims = [0, 1, 2, 3] : (tensor<1x1x2x3xf32>) -> tensor<1x1x2x3x131xf32>
    %101 = stablehlo.subtract %97, %100 : tensor<1x1x2x3x131xf32>
    %102 = stablehlo.exponential %101 : tensor<1x1x2x3x131xf32>
    %103 = stablehlo.constant dense<0.0> : tensor<f32>
    %104 = stablehlo.reduce(%102 init: %103) applies stablehlo.add across dimensions = [4] : (tensor<1x1x2x3x131xf32>, tensor<f32>) -> tensor<1x1x2x3xf32>
    %105 = stablehlo.broadcast_in_dim %104, dims = [0, 1, 2, 3] : (tensor<1x1x2x3xf32>) -> tensor<1x1x2x3x131xf32>
    %106 = stablehlo.divide %102, %105 : tensor<1x1x2x3x131xf32>
    %107 = stablehlo.dot_general %106, %3, batching_dims = [0, 1] x [0, 1], contracting_dims = [4] x [2], precision = [HIGHEST, HIGHEST] : (tensor<1x1x2x3x131xf32>, tensor<1x1x131x3xf32>) -> tensor<1x1x2x3x3xf32>
    %108 = stablehlo.log %104 : tensor<1x1x2x3xf32>
    %109 = stablehlo.add %108, %99 : tensor<1x1x2x3xf32>
    %110 = stablehlo.concatenate %40, %76, %109, dim = 3 : (tensor<1x1x2x64xf32>, tensor<1x1x2x64xf32>, tensor<1x1x2x3xf32>) -> tensor<1x1x2x131xf32>
    %111 = stablehlo.reshape %110 : (tensor<1x1x2x131xf32>) -> tensor<1x2x131xf32>
    %112 = stablehlo.concatenate %38, %74, %107, dim = 3 : (tensor<1x1x2x64x3xf32>, tensor<1x1x2x64x3xf32>, tensor<1x1x2x3x3xf32>) -> tensor<1x1x2x131x3xf32>
    %113 = stablehlo.transpose %112, dims = [0, 3, 1, 2, 4] : (tensor<1x1x2x131x3xf32>) -> tensor<1x131x1x2x3xf32>
    %114 = stablehlo.reshape %113 : (tensor<1x131x1x2x3xf32>) -> tensor<1x131x2x3xf32>
    %115 = stablehlo.reshape %114 : (tensor<1x131x2x3xf32>) -> tensor<1x131x1x2x3xf32>
    %116 = stablehlo.transpose %115, dims = [0, 2, 3, 1, 4] : (tensor<1x131x1x2x3xf32>) -> tensor<1x1x2x131x3xf32>
    %117 = stablehlo.reshape %arg4 : (tensor<1x131x2x3xf32>) -> tensor<1x131x1x2x3xf32>
    %118 = stablehlo.transpose %117, dims = [0, 2, 3, 1, 4] : (tensor<1x131x1x2x3xf32>) -> tensor<1x1x2x131x3xf32>
    %119 = stablehlo.reshape %111 : (tensor<1x2x131xf32>) -> tensor<1x1x2x131xf32>
    %120 = stablehlo.multiply %118, %116 : tensor<1x1x2x131x3xf32>
    %121 = stablehlo.constant dense<0.0> : tensor<f32>
    %122 = stablehlo.reduce(%120 init: %121) applies stablehlo.add across dimensions = [4] : (tensor<1x1x2x131x3xf32>, tensor<f32>) -> tensor<1x1x2x131xf32>
    %123 = stablehlo.slice %119 [0:1, 0:1, 0:2, 0:64] : (tensor<1x1x2x131xf32>) -> tensor<1x1x2x64xf32>
    %124 = stablehlo.broadcast_in_dim %123, dims = [0, 1, 2, 3] : (tensor<1x1x2x64xf32>) -> tensor<1x1x2x64x64xf32>
    %125 = stablehlo.subtract %28, %124 : tensor<1x1x2x64x64xf32>
    %126 = stablehlo.exponential %125 : tensor<1x1x2x64x64xf32>
    %127 = stablehlo.slice %118 [0:1, 0:1, 0:2, 0:64, 0:3] : (tensor<1x1x2x131x3xf32>) -> tensor<1x1x2x64x3xf32>
    %128 = stablehlo.dot_general %127, %5, batching_dims = [0, 1] x [0, 1], contracting_dims = [4] x [3], precision = [HIGHEST, HIGHEST] : (tensor<1x1x2x64x3xf32>, tensor<1x1x64x3xf32>) -> tensor<1x1x2x64x64xf32>
    %129 = stablehlo.slice %122 [0:1, 0:1, 0:2, 0:64] : (tensor<1x1x2x131xf32>) -> tensor<1x1x2x64xf32>
    %130 = stablehlo.broadcast_in_dim %129, dims = [0, 1, 2, 3] : (tensor<1x1x2x64xf32>) -> tensor<1x1x2x64x64xf32>
    %131 = stablehlo.subtract %128, %130 : tensor<1x1x2x64x64xf32>
    %132 = stablehlo.multiply %126, %131 : tensor<1x1x2x64x64xf32>
    %133 = stablehlo.multiply %132, %23 : tensor<1x1x2x64x64xf32>
    %134 = stablehlo.dot_general %133, %4, batching_dims = [0, 1] x [0, 1], contracting_dims = [4] x [2], precision = [HIGHEST, HIGHEST] : (tensor<1x1x2x64x64xf32>, tensor<1x1x64x3xf32>) -> tensor<1x1x2x64x3xf32>
    %135 = stablehlo.dot_general %133, %6, batching_dims = [0, 1] x [0, 1], contracting_dims = [2, 3] x [2, 3], precision = [HIGHEST, HIGHEST] : (tensor<1x1x2x64x64xf32>, tensor<1x1x2x64x3xf32>) -> tensor<1x1x64x3xf32>
    %136 = stablehlo.constant dense<0.0> : tensor<f32>
    %137 = stablehlo.pad %135, %136, low = [0, 0, 0, 0], high = [0, 0, 67, 0], interior = [0, 0, 0, 0] : (tensor<1x1x64x3xf32>, tensor<f32>) -> tensor<1x1x131x3xf32>
    %138 = stablehlo.dot_general %126, %127, batching_dims = [0, 1] x [0, 1], contracting_dims = [2, 3] x [2, 3], precision = [HIGHEST, HIGHEST] : (tensor<1x1x2x64x64xf32>, tensor<1x1x2x64x3xf32>) -> tensor<1x1x64x3xf32>
    %139 = stablehlo.constant dense<0.0> : tensor<f32>
    %140 = stablehlo.pad %138, %139, low = [0, 0, 0, 0], high = [0, 0, 67, 0], interior = [0, 0, 0, 0] : (tensor<1x1x64x3xf32>, tensor<f32>) -> tensor<1x1x131x3xf32>
    %141 = stablehlo.slice %119 [0:1, 0:1, 0:2, 64:128] : (tensor<1x1x2x131xf32>) -> tensor<1x1x2x64xf32>
    %142 = stablehlo.broadcast_in_dim %141, dims = [0, 1, 2, 3] : (tensor<1x1x2x64xf32>) -> tensor<1x1x2x64x128xf32>
    %143 = stablehlo.subtract %64, %142 : tensor<1x1x2x64x128xf32>
    %144 = stablehlo.exponential %143 : tensor<1x1x2x64x128xf32>
    %145 = stablehlo.slice %118 [0:1, 0:1, 0:2, 64:128, 0:3] : (tensor<1x1x2x131x3xf32>) -> tensor<1x1x2x64x3xf32>
    %146 = stablehlo.dot_general %145, %42, batching_dims = [0, 1] x [0, 1], contracting_dims = [4] x [3], precision = [HIGHEST, HIGHEST] : (tensor<1x1x2x64x3xf32>, tensor<1x1x128x3xf32>) -> tensor<1x1x2x64x128xf32>
    %147 = stablehlo.slice %122 [0:1, 0:1, 0:2, 64:128] : (tensor<1x1x2x131xf32>) -> tensor<1x1x2x64xf32>
    %148 = stablehlo.broadcast_in_dim %147, dims = [0, 1, 2, 3] : (tensor<1x1x2x64xf32>) -> tensor<1x1x2x64x128xf32>
    %149 = stablehlo.subtract %146, %148 : tensor<1x1x2x64x128xf32>
    %150 = stablehlo.multiply %144, %149 : tensor<1x1x2x64x128xf32>
    %151 = stablehlo.multiply %150, %60 : tensor<1x1x2x64x128xf32>
    %152 = stablehlo.dot_general %151, %41, batching_dims = [0, 1] x [0, 1], contracting_dims = [4] x [2], precision = [HIGHEST, HIGHEST] : (tensor<1x1x2x64x128xf32>, tensor<1x1x128x3xf32>) -> tensor<1x1x2x64x3xf32>
    %153 = stablehlo.dot_general %151, %43, batching_dims = [0, 1] x [0, 1], contracting_dims = [2, 3] x [2, 3], precision = [HIGHEST, HIGHEST] : (tensor<1x1x2x64x128xf32>, tensor<1x1x2x64x3xf32>) -> tensor<1x1x128x3xf32>
    %154 = stablehlo.constant dense<0.0> : tensor<f32>
    %155 = stablehlo.pad %153, %154, low = [0, 0, 0, 0], high = [0, 0, 3, 0], interior = [0, 0, 0, 0] : (tensor<1x1x128x3xf32>, tensor<f32>) -> tensor<1x1x131x3xf32>
    %156 = stablehlo.dot_general %144, %145, batching_dims = [0, 1] x [0, 1], contracting_dims = [2, 3] x [2, 3], precision = [HIGHEST, HIGHEST] : (tensor<1x1x2x64x128xf32>, tensor<1x1x2x64x3xf32>) -> tensor<1x1x128x3xf32>
    %157 = stablehlo.constant dense<0.0> : tensor<f32>
    %158 = stablehlo.pad %156, %157, low = [0, 0, 0, 0], high = [0, 0, 3, 0], interior = [0, 0, 0, 0] : (tensor<1x1x128x3xf32>, tensor<f32>) -> tensor<1x1x131x3xf32>
    %159 = stablehlo.add %137, %155 : tensor<1x1x131x3xf32>
    %160 = stablehlo.add %140, %158 : tensor<1x1x131x3xf32>
    %161 = stablehlo.slice %119 [0:1, 0:1, 0:2, 128:131] : (tensor<1x1x2x131xf32>) -> tensor<1x1x2x3xf32>
    %162 = stablehlo.broadcast_in_dim %161, dims = [0, 1, 2, 3] : (tensor<1x1x2x3xf32>) -> tensor<1x1x2x3x131xf32>
    %163 = stablehlo.subtract %97, %162 : tensor<1x1x2x3x131xf32>
    %164 = stablehlo.exponential %163 : tensor<1x1x2x3x131xf32>
    %165 = stablehlo.slice %118 [0:1, 0:1, 0:2, 128:131, 0:3] : (tensor<1x1x2x131x3xf32>) -> tensor<1x1x2x3x3xf32>
    %166 = stablehlo.dot_general %165, %3, batching_dims = [0, 1] x [0, 1], contracting_dims = [4] x [3], precision = [HIGHEST, HIGHEST] : (tensor<1x1x2x3x3xf32>, tensor<1x1x131x3xf32>) -> tensor<1x1x2x3x131xf32>
    %167 = stablehlo.slice %122 [0:1, 0:1, 0:2, 128:131] : (tensor<1x1x2x131xf32>) -> tensor<1x1x2x3xf32>
    %168 = stablehlo.broadcast_in_dim %167, dims = [0, 1, 2, 3] : (tensor<1x1x2x3xf32>) -> tensor<1x1x2x3x131xf32>
    %169 = stablehlo.subtract %166, %168 : tensor<1x1x2x3x131xf32>
    %170 = stablehlo.multiply %164, %169 : tensor<1x1x2x3x131xf32>
    %171 = stablehlo.multiply %170, %93 : tensor<1x1x2x3x131xf32>
    %172 = stablehlo.dot_general %171, %2, batching_dims = [0, 1] x [0, 1], contracting_dims = [4] x [2], precision = [HIGHEST, HIGHEST] : (tensor<1x1x2x3x131xf32>, tensor<1x1x131x3xf32>) -> tensor<1x1x2x3x3xf32>
    %173 = stablehlo.dot_general %171, %77, batching_dims = [0, 1] x [0, 1], contracting_dims = [2, 3] x [2, 3], precision = [HIGHEST, HIGHEST] : (tensor<1x1x2x3x131xf32>, tensor<1x1x2x3x3xf32>) -> tensor<1x1x131x3xf32>
    %174 = stablehlo.dot_general %164, %165, batching_dims = [0, 1] x [0, 1], contracting_dims = [2, 3] x [2, 3], precision = [HIGHEST, HIGHEST] : (tensor<1x1x2x3x131xf32>, tensor<1x1x2x3x3xf32>) -> tensor<1x1x131x3xf32>
    %175 = stablehlo.add %159, %173 : tensor<1x1x131x3xf32>
    %176 = stablehlo.add %160, %174 : tensor<1x1x131x3xf32>
    %177 = stablehlo.concatenate %134, %152, %172, dim = 3 : (tensor<1x1x2x64x3xf32>, tensor<1x1x2x64x3xf32>, tensor<1x1x2x3x3xf32>) -> tensor<1x1x2x131x3xf32>
    %178 = stablehlo.transpose %177, dims = [0, 3, 1, 2, 4] : (tensor<1x1x2x131x3xf32>) -> tensor<1x131x1x2x3xf32>
    %179 = stablehlo.reshape %178 : (tensor<1x131x1x2x3xf32>) -> tensor<1x131x2x3xf32>
    %180 = stablehlo.transpose %175, dims = [0, 2, 1, 3] : (tensor<1x1x131x3xf32>) -> tensor<1x131x1x3xf32>
    %181 = stablehlo.transpose %176, dims = [0, 2, 1, 3] : (tensor<1x1x131x3xf32>) -> tensor<1x131x1x3xf32>
    return %114, %179, %180, %181 : tensor<1x131x2x3xf32>, tensor<1x131x2x3xf32>, tensor<1x131x1x3xf32>, tensor<1x131x1x3xf32>
  }
}
