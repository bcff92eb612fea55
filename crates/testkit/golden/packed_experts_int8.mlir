module @packed_experts_int8 attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main(%arg0: tensor<3x66xbf16>, %arg1: tensor<3x2xf32>, %arg2: tensor<3x2xi32>, %arg3: tensor<3x66xbf16>, %arg4: tensor<4x1x33x64x2xi8>, %arg5: tensor<4x1x33x64x2xi8>, %arg6: tensor<4x2x10x64x2xi8>, %arg7: tensor<4x1x3x64xbf16>, %arg8: tensor<4x1x3x64xbf16>, %arg9: tensor<4x2x1x64xbf16>) -> (tensor<3x66xbf16>) {
    %0 = stablehlo.convert %arg4 : (tensor<4x1x33x64x2xi8>) -> tensor<4x1x33x64x2xf32>
    %1 = stablehlo.transpose %0, dims = [0, 1, 3, 2, 4] : (tensor<4x1x33x64x2xf32>) -> tensor<4x1x64x33x2xf32>
    %2 = stablehlo.reshape %1 : (tensor<4x1x64x33x2xf32>) -> tensor<4x1x64x66xf32>
    %3 = stablehlo.constant dense<0.0> : tensor<f32>
    %4 = stablehlo.pad %2, %3, low = [0, 0, 0, 0], high = [0, 0, 0, 30], interior = [0, 0, 0, 0] : (tensor<4x1x64x66xf32>, tensor<f32>) -> tensor<4x1x64x96xf32>
    %5 = stablehlo.reshape %4 : (tensor<4x1x64x96xf32>) -> tensor<4x1x64x3x32xf32>
    %6 = stablehlo.convert %arg7 : (tensor<4x1x3x64xbf16>) -> tensor<4x1x3x64xf32>
    %7 = stablehlo.transpose %6, dims = [0, 1, 3, 2] : (tensor<4x1x3x64xf32>) -> tensor<4x1x64x3xf32>
    %8 = stablehlo.broadcast_in_dim %7, dims = [0, 1, 2, 3] : (tensor<4x1x64x3xf32>) -> tensor<4x1x64x3x32xf32>
    %9 = stablehlo.multiply %5, %8 : tensor<4x1x64x3x32xf32>
    %10 = stablehlo.reshape %9 : (tensor<4x1x64x3x32xf32>) -> tensor<4x1x64x96xf32>
    %11 = stablehlo.slice %10 [0:4, 0:1, 0:64, 0:66] : (tensor<4x1x64x96xf32>) -> tensor<4x1x64x66xf32>
    %12 = stablehlo.reshape %11 : (tensor<4x1x64x66xf32>) -> tensor<4x64x66xf32>
    %13 = stablehlo.slice %12 [0:4, 0:20, 0:66] : (tensor<4x64x66xf32>) -> tensor<4x20x66xf32>
    %14 = stablehlo.convert %arg5 : (tensor<4x1x33x64x2xi8>) -> tensor<4x1x33x64x2xf32>
    %15 = stablehlo.transpose %14, dims = [0, 1, 3, 2, 4] : (tensor<4x1x33x64x2xf32>) -> tensor<4x1x64x33x2xf32>
    %16 = stablehlo.reshape %15 : (tensor<4x1x64x33x2xf32>) -> tensor<4x1x64x66xf32>
    %17 = stablehlo.constant dense<0.0> : tensor<f32>
    %18 = stablehlo.pad %16, %17, low = [0, 0, 0, 0], high = [0, 0, 0, 30], interior = [0, 0, 0, 0] : (tensor<4x1x64x66xf32>, tensor<f32>) -> tensor<4x1x64x96xf32>
    %19 = stablehlo.reshape %18 : (tensor<4x1x64x96xf32>) -> tensor<4x1x64x3x32xf32>
    %20 = stablehlo.convert %arg8 : (tensor<4x1x3x64xbf16>) -> tensor<4x1x3x64xf32>
    %21 = stablehlo.transpose %20, dims = [0, 1, 3, 2] : (tensor<4x1x3x64xf32>) -> tensor<4x1x64x3xf32>
    %22 = stablehlo.broadcast_in_dim %21, dims = [0, 1, 2, 3] : (tensor<4x1x64x3xf32>) -> tensor<4x1x64x3x32xf32>
    %23 = stablehlo.multiply %19, %22 : tensor<4x1x64x3x32xf32>
    %24 = stablehlo.reshape %23 : (tensor<4x1x64x3x32xf32>) -> tensor<4x1x64x96xf32>
    %25 = stablehlo.slice %24 [0:4, 0:1, 0:64, 0:66] : (tensor<4x1x64x96xf32>) -> tensor<4x1x64x66xf32>
    %26 = stablehlo.reshape %25 : (tensor<4x1x64x66xf32>) -> tensor<4x64x66xf32>
    %27 = stablehlo.slice %26 [0:4, 0:20, 0:66] : (tensor<4x64x66xf32>) -> tensor<4x20x66xf32>
    %28 = stablehlo.convert %arg6 : (tensor<4x2x10x64x2xi8>) -> tensor<4x2x10x64x2xf32>
    %29 = stablehlo.transpose %28, dims = [0, 1, 3, 2, 4] : (tensor<4x2x10x64x2xf32>) -> tensor<4x2x64x10x2xf32>
    %30 = stablehlo.reshape %29 : (tensor<4x2x64x10x2xf32>) -> tensor<4x2x64x20xf32>
    %31 = stablehlo.constant dense<0.0> : tensor<f32>
    %32 = stablehlo.pad %30, %31, low = [0, 0, 0, 0], high = [0, 0, 0, 12], interior = [0, 0, 0, 0] : (tensor<4x2x64x20xf32>, tensor<f32>) -> tensor<4x2x64x32xf32>
    %33 = stablehlo.reshape %32 : (tensor<4x2x64x32xf32>) -> tensor<4x2x64x1x32xf32>
    %34 = stablehlo.convert %arg9 : (tensor<4x2x1x64xbf16>) -> tensor<4x2x1x64xf32>
    %35 = stablehlo.transpose %34, dims = [0, 1, 3, 2] : (tensor<4x2x1x64xf32>) -> tensor<4x2x64x1xf32>
    %36 = stablehlo.broadcast_in_dim %35, dims = [0, 1, 2, 3] : (tensor<4x2x64x1xf32>) -> tensor<4x2x64x1x32xf32>
    %37 = stablehlo.multiply %33, %36 : tensor<4x2x64x1x32xf32>
    %38 = stablehlo.reshape %37 : (tensor<4x2x64x1x32xf32>) -> tensor<4x2x64x32xf32>
    %39 = stablehlo.slice %38 [0:4, 0:2, 0:64, 0:20] : (tensor<4x2x64x32xf32>) -> tensor<4x2x64x20xf32>
    %40 = stablehlo.reshape %39 : (tensor<4x2x64x20xf32>) -> tensor<4x128x20xf32>
    %41 = stablehlo.slice %40 [0:4, 0:66, 0:20] : (tensor<4x128x20xf32>) -> tensor<4x66x20xf32>
    %42 = stablehlo.convert %arg0 : (tensor<3x66xbf16>) -> tensor<3x66xf32>
    %43 = stablehlo.broadcast_in_dim %42, dims = [0, 2] : (tensor<3x66xf32>) -> tensor<3x2x66xf32>
    %44 = stablehlo.reshape %43 : (tensor<3x2x66xf32>) -> tensor<6x66xf32>
    %45 = stablehlo.constant dense<0> : tensor<i32>
    %46 = stablehlo.broadcast_in_dim %45, dims = [] : (tensor<i32>) -> tensor<3x2xi32>
    %47 = stablehlo.maximum %arg2, %46 : tensor<3x2xi32>
    %48 = stablehlo.reshape %47 : (tensor<3x2xi32>) -> tensor<6xi32>
    %49 = stablehlo.constant dense<0> : tensor<i32>
    %50 = stablehlo.constant dense<1> : tensor<i32>
    %51 = stablehlo.constant dense<6> : tensor<i32>
    %52 = stablehlo.constant dense<0.0> : tensor<6x20xf32>
    %53:2 = stablehlo.while(%54 = %49, %55 = %52) : tensor<i32>, tensor<6x20xf32>
    cond {
      %56 = stablehlo.compare LT, %54, %51, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
      stablehlo.return %56 : tensor<i1>
    } do {
    %57 = stablehlo.constant dense<1> : tensor<i32>
    %58 = stablehlo.multiply %54, %57 : tensor<i32>
    %59 = stablehlo.constant dense<0> : tensor<i32>
    %60 = stablehlo.dynamic_slice %44, %58, %59, sizes = [1, 66] : (tensor<6x66xf32>, tensor<i32>, tensor<i32>) -> tensor<1x66xf32>
    %61 = stablehlo.dynamic_slice %48, %54, sizes = [1] : (tensor<6xi32>, tensor<i32>) -> tensor<1xi32>
    %62 = stablehlo.reshape %61 : (tensor<1xi32>) -> tensor<i32>
    %63 = stablehlo.constant dense<3> : tensor<i32>
    %64 = stablehlo.minimum %62, %63 : tensor<i32>
    %65 = stablehlo.constant dense<0> : tensor<i32>
    %66 = stablehlo.dynamic_slice %13, %64, %65, %65, sizes = [1, 20, 66] : (tensor<4x20x66xf32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x20x66xf32>
    %67 = stablehlo.reshape %66 : (tensor<1x20x66xf32>) -> tensor<20x66xf32>
    %68 = stablehlo.dot_general %60, %67, contracting_dims = [1] x [1], precision = [HIGHEST, HIGHEST] : (tensor<1x66xf32>, tensor<20x66xf32>) -> tensor<1x20xf32>
    %69 = stablehlo.constant dense<0> : tensor<i32>
    %70 = stablehlo.dynamic_update_slice %55, %68, %58, %69 : (tensor<6x20xf32>, tensor<1x20xf32>, tensor<i32>, tensor<i32>) -> tensor<6x20xf32>
    %71 = stablehlo.add %54, %50 : tensor<i32>
    stablehlo.return %71, %70 : tensor<i32>, tensor<6x20xf32>
    }
    %72 = stablehlo.logistic %53#1 : tensor<6x20xf32>
    %73 = stablehlo.multiply %53#1, %72 : tensor<6x20xf32>
    %74 = stablehlo.constant dense<0> : tensor<i32>
    %75 = stablehlo.constant dense<1> : tensor<i32>
    %76 = stablehlo.constant dense<6> : tensor<i32>
    %77 = stablehlo.constant dense<0.0> : tensor<6x20xf32>
    %78:2 = stablehlo.while(%79 = %74, %80 = %77) : tensor<i32>, tensor<6x20xf32>
    cond {
      %81 = stablehlo.compare LT, %79, %76, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
      stablehlo.return %81 : tensor<i1>
    } do {
    %82 = stablehlo.constant dense<1> : tensor<i32>
    %83 = stablehlo.multiply %79, %82 : tensor<i32>
    %84 = stablehlo.constant dense<0> : tensor<i32>
    %85 = stablehlo.dynamic_slice %44, %83, %84, sizes = [1, 66] : (tensor<6x66xf32>, tensor<i32>, tensor<i32>) -> tensor<1x66xf32>
    %86 = stablehlo.dynamic_slice %48, %79, sizes = [1] : (tensor<6xi32>, tensor<i32>) -> tensor<1xi32>
    %87 = stablehlo.reshape %86 : (tensor<1xi32>) -> tensor<i32>
    %88 = stablehlo.constant dense<3> : tensor<i32>
    %89 = stablehlo.minimum %87, %88 : tensor<i32>
    %90 = stablehlo.constant dense<0> : tensor<i32>
    %91 = stablehlo.dynamic_slice %27, %89, %90, %90, sizes = [1, 20, 66] : (tensor<4x20x66xf32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x20x66xf32>
    %92 = stablehlo.reshape %91 : (tensor<1x20x66xf32>) -> tensor<20x66xf32>
    %93 = stablehlo.dot_general %85, %92, contracting_dims = [1] x [1], precision = [HIGHEST, HIGHEST] : (tensor<1x66xf32>, tensor<20x66xf32>) -> tensor<1x20xf32>
    %94 = stablehlo.constant dense<0> : tensor<i32>
    %95 = stablehlo.dynamic_update_slice %80, %93, %83, %94 : (tensor<6x20xf32>, tensor<1x20xf32>, tensor<i32>, tensor<i32>) -> tensor<6x20xf32>
    %96 = stablehlo.add %79, %75 : tensor<i32>
    stablehlo.return %96, %95 : tensor<i32>, tensor<6x20xf32>
    }
    %97 = stablehlo.multiply %73, %78#1 : tensor<6x20xf32>
    %98 = stablehlo.convert %97 : (tensor<6x20xf32>) -> tensor<6x20xbf16>
    %99 = stablehlo.convert %98 : (tensor<6x20xbf16>) -> tensor<6x20xf32>
    %100 = stablehlo.constant dense<0> : tensor<i32>
    %101 = stablehlo.constant dense<1> : tensor<i32>
    %102 = stablehlo.constant dense<6> : tensor<i32>
    %103 = stablehlo.constant dense<0.0> : tensor<6x66xf32>
    %104:2 = stablehlo.while(%105 = %100, %106 = %103) : tensor<i32>, tensor<6x66xf32>
    cond {
      %107 = stablehlo.compare LT, %105, %102, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
      stablehlo.return %107 : tensor<i1>
    } do {
    %108 = stablehlo.constant dense<1> : tensor<i32>
    %109 = stablehlo.multiply %105, %108 : tensor<i32>
    %110 = stablehlo.constant dense<0> : tensor<i32>
    %111 = stablehlo.dynamic_slice %99, %109, %110, sizes = [1, 20] : (tensor<6x20xf32>, tensor<i32>, tensor<i32>) -> tensor<1x20xf32>
    %112 = stablehlo.dynamic_slice %48, %105, sizes = [1] : (tensor<6xi32>, tensor<i32>) -> tensor<1xi32>
    %113 = stablehlo.reshape %112 : (tensor<1xi32>) -> tensor<i32>
    %114 = stablehlo.constant dense<3> : tensor<i32>
    %115 = stablehlo.minimum %113, %114 : tensor<i32>
    %116 = stablehlo.constant dense<0> : tensor<i32>
    %117 = stablehlo.dynamic_slice %41, %115, %116, %116, sizes = [1, 66, 20] : (tensor<4x66x20xf32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x66x20xf32>
    %118 = stablehlo.reshape %117 : (tensor<1x66x20xf32>) -> tensor<66x20xf32>
    %119 = stablehlo.dot_general %111, %118, contracting_dims = [1] x [1], precision = [HIGHEST, HIGHEST] : (tensor<1x20xf32>, tensor<66x20xf32>) -> tensor<1x66xf32>
    %120 = stablehlo.constant dense<0> : tensor<i32>
    %121 = stablehlo.dynamic_update_slice %106, %119, %109, %120 : (tensor<6x66xf32>, tensor<1x66xf32>, tensor<i32>, tensor<i32>) -> tensor<6x66xf32>
    %122 = stablehlo.add %105, %101 : tensor<i32>
    stablehlo.return %122, %121 : tensor<i32>, tensor<6x66xf32>
    }
    %123 = stablehlo.convert %104#1 : (tensor<6x66xf32>) -> tensor<6x66xbf16>
    %124 = stablehlo.reshape %123 : (tensor<6x66xbf16>) -> tensor<3x2x66xbf16>
    %125 = stablehlo.convert %124 : (tensor<3x2x66xbf16>) -> tensor<3x2x66xf32>
    %126 = stablehlo.compare GE, %arg2, %46, SIGNED : (tensor<3x2xi32>, tensor<3x2xi32>) -> tensor<3x2xi1>
    %127 = stablehlo.constant dense<0.0> : tensor<f32>
    %128 = stablehlo.broadcast_in_dim %127, dims = [] : (tensor<f32>) -> tensor<3x2xf32>
    %129 = stablehlo.select %126, %arg1, %128 : tensor<3x2xi1>, tensor<3x2xf32>
    %130 = stablehlo.broadcast_in_dim %129, dims = [0, 1] : (tensor<3x2xf32>) -> tensor<3x2x66xf32>
    %131 = stablehlo.multiply %125, %130 : tensor<3x2x66xf32>
    %132 = stablehlo.constant dense<0.0> : tensor<f32>
    %133 = stablehlo.reduce(%131 init: %132) applies stablehlo.add across dimensions = [1] : (tensor<3x2x66xf32>, tensor<f32>) -> tensor<3x66xf32>
    %134 = stablehlo.convert %133 : (tensor<3x66xf32>) -> tensor<3x66xbf16>
    %135 = stablehlo.add %134, %arg3 : tensor<3x66xbf16>
    return %135 : tensor<3x66xbf16>
  }
}
