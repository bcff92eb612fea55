module @packed_experts_bf16 attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main(%arg0: tensor<3x66xbf16>, %arg1: tensor<3x2xf32>, %arg2: tensor<3x2xi32>, %arg3: tensor<3x66xbf16>, %arg4: tensor<4x1x33x64x2xbf16>, %arg5: tensor<4x1x33x64x2xbf16>, %arg6: tensor<4x2x10x64x2xbf16>) -> (tensor<3x66xbf16>) {
    %0 = stablehlo.transpose %arg4, dims = [0, 1, 3, 2, 4] : (tensor<4x1x33x64x2xbf16>) -> tensor<4x1x64x33x2xbf16>
    %1 = stablehlo.reshape %0 : (tensor<4x1x64x33x2xbf16>) -> tensor<4x1x64x66xbf16>
    %2 = stablehlo.reshape %1 : (tensor<4x1x64x66xbf16>) -> tensor<4x64x66xbf16>
    %3 = stablehlo.slice %2 [0:4, 0:20, 0:66] : (tensor<4x64x66xbf16>) -> tensor<4x20x66xbf16>
    %4 = stablehlo.transpose %arg5, dims = [0, 1, 3, 2, 4] : (tensor<4x1x33x64x2xbf16>) -> tensor<4x1x64x33x2xbf16>
    %5 = stablehlo.reshape %4 : (tensor<4x1x64x33x2xbf16>) -> tensor<4x1x64x66xbf16>
    %6 = stablehlo.reshape %5 : (tensor<4x1x64x66xbf16>) -> tensor<4x64x66xbf16>
    %7 = stablehlo.slice %6 [0:4, 0:20, 0:66] : (tensor<4x64x66xbf16>) -> tensor<4x20x66xbf16>
    %8 = stablehlo.transpose %arg6, dims = [0, 1, 3, 2, 4] : (tensor<4x2x10x64x2xbf16>) -> tensor<4x2x64x10x2xbf16>
    %9 = stablehlo.reshape %8 : (tensor<4x2x64x10x2xbf16>) -> tensor<4x2x64x20xbf16>
    %10 = stablehlo.reshape %9 : (tensor<4x2x64x20xbf16>) -> tensor<4x128x20xbf16>
    %11 = stablehlo.slice %10 [0:4, 0:66, 0:20] : (tensor<4x128x20xbf16>) -> tensor<4x66x20xbf16>
    %12 = stablehlo.broadcast_in_dim %arg0, dims = [0, 2] : (tensor<3x66xbf16>) -> tensor<3x2x66xbf16>
    %13 = stablehlo.reshape %12 : (tensor<3x2x66xbf16>) -> tensor<6x66xbf16>
    %14 = stablehlo.constant dense<0> : tensor<i32>
    %15 = stablehlo.broadcast_in_dim %14, dims = [] : (tensor<i32>) -> tensor<3x2xi32>
    %16 = stablehlo.maximum %arg2, %15 : tensor<3x2xi32>
    %17 = stablehlo.reshape %16 : (tensor<3x2xi32>) -> tensor<6xi32>
    %18 = stablehlo.compare GE, %arg2, %15, SIGNED : (tensor<3x2xi32>, tensor<3x2xi32>) -> tensor<3x2xi1>
    %19 = stablehlo.constant dense<0.0> : tensor<f32>
    %20 = stablehlo.broadcast_in_dim %19, dims = [] : (tensor<f32>) -> tensor<3x2xf32>
    %21 = stablehlo.select %18, %arg1, %20 : tensor<3x2xi1>, tensor<3x2xf32>
    %22 = stablehlo.constant dense<0> : tensor<i32>
    %23 = stablehlo.constant dense<1> : tensor<i32>
    %24 = stablehlo.constant dense<6> : tensor<i32>
    %25 = stablehlo.constant dense<0.0> : tensor<6x20xf32>
    %26:2 = stablehlo.while(%27 = %22, %28 = %25) : tensor<i32>, tensor<6x20xf32>
    cond {
      %29 = stablehlo.compare LT, %27, %24, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
      stablehlo.return %29 : tensor<i1>
    } do {
    %30 = stablehlo.constant dense<1> : tensor<i32>
    %31 = stablehlo.multiply %27, %30 : tensor<i32>
    %32 = stablehlo.constant dense<0> : tensor<i32>
    %33 = stablehlo.dynamic_slice %13, %31, %32, sizes = [1, 66] : (tensor<6x66xbf16>, tensor<i32>, tensor<i32>) -> tensor<1x66xbf16>
    %34 = stablehlo.dynamic_slice %17, %27, sizes = [1] : (tensor<6xi32>, tensor<i32>) -> tensor<1xi32>
    %35 = stablehlo.reshape %34 : (tensor<1xi32>) -> tensor<i32>
    %36 = stablehlo.constant dense<3> : tensor<i32>
    %37 = stablehlo.minimum %35, %36 : tensor<i32>
    %38 = stablehlo.constant dense<0> : tensor<i32>
    %39 = stablehlo.dynamic_slice %3, %37, %38, %38, sizes = [1, 20, 66] : (tensor<4x20x66xbf16>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x20x66xbf16>
    %40 = stablehlo.reshape %39 : (tensor<1x20x66xbf16>) -> tensor<20x66xbf16>
    %41 = stablehlo.dot_general %33, %40, contracting_dims = [1] x [1] : (tensor<1x66xbf16>, tensor<20x66xbf16>) -> tensor<1x20xf32>
    %42 = stablehlo.constant dense<0> : tensor<i32>
    %43 = stablehlo.dynamic_update_slice %28, %41, %31, %42 : (tensor<6x20xf32>, tensor<1x20xf32>, tensor<i32>, tensor<i32>) -> tensor<6x20xf32>
    %44 = stablehlo.add %27, %23 : tensor<i32>
    stablehlo.return %44, %43 : tensor<i32>, tensor<6x20xf32>
    }
    %45 = stablehlo.convert %26#1 : (tensor<6x20xf32>) -> tensor<6x20xbf16>
    %46 = stablehlo.constant dense<0> : tensor<i32>
    %47 = stablehlo.constant dense<1> : tensor<i32>
    %48 = stablehlo.constant dense<6> : tensor<i32>
    %49 = stablehlo.constant dense<0.0> : tensor<6x20xf32>
    %50:2 = stablehlo.while(%51 = %46, %52 = %49) : tensor<i32>, tensor<6x20xf32>
    cond {
      %53 = stablehlo.compare LT, %51, %48, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
      stablehlo.return %53 : tensor<i1>
    } do {
    %54 = stablehlo.constant dense<1> : tensor<i32>
    %55 = stablehlo.multiply %51, %54 : tensor<i32>
    %56 = stablehlo.constant dense<0> : tensor<i32>
    %57 = stablehlo.dynamic_slice %13, %55, %56, sizes = [1, 66] : (tensor<6x66xbf16>, tensor<i32>, tensor<i32>) -> tensor<1x66xbf16>
    %58 = stablehlo.dynamic_slice %17, %51, sizes = [1] : (tensor<6xi32>, tensor<i32>) -> tensor<1xi32>
    %59 = stablehlo.reshape %58 : (tensor<1xi32>) -> tensor<i32>
    %60 = stablehlo.constant dense<3> : tensor<i32>
    %61 = stablehlo.minimum %59, %60 : tensor<i32>
    %62 = stablehlo.constant dense<0> : tensor<i32>
    %63 = stablehlo.dynamic_slice %7, %61, %62, %62, sizes = [1, 20, 66] : (tensor<4x20x66xbf16>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x20x66xbf16>
    %64 = stablehlo.reshape %63 : (tensor<1x20x66xbf16>) -> tensor<20x66xbf16>
    %65 = stablehlo.dot_general %57, %64, contracting_dims = [1] x [1] : (tensor<1x66xbf16>, tensor<20x66xbf16>) -> tensor<1x20xf32>
    %66 = stablehlo.constant dense<0> : tensor<i32>
    %67 = stablehlo.dynamic_update_slice %52, %65, %55, %66 : (tensor<6x20xf32>, tensor<1x20xf32>, tensor<i32>, tensor<i32>) -> tensor<6x20xf32>
    %68 = stablehlo.add %51, %47 : tensor<i32>
    stablehlo.return %68, %67 : tensor<i32>, tensor<6x20xf32>
    }
    %69 = stablehlo.convert %50#1 : (tensor<6x20xf32>) -> tensor<6x20xbf16>
    %70 = stablehlo.reshape %21 : (tensor<3x2xf32>) -> tensor<6xf32>
    %71 = stablehlo.convert %45 : (tensor<6x20xbf16>) -> tensor<6x20xf32>
    %72 = stablehlo.convert %69 : (tensor<6x20xbf16>) -> tensor<6x20xf32>
    %73 = stablehlo.logistic %71 : tensor<6x20xf32>
    %74 = stablehlo.multiply %71, %73 : tensor<6x20xf32>
    %75 = stablehlo.multiply %74, %72 : tensor<6x20xf32>
    %76 = stablehlo.broadcast_in_dim %70, dims = [0] : (tensor<6xf32>) -> tensor<6x20xf32>
    %77 = stablehlo.multiply %75, %76 : tensor<6x20xf32>
    %78 = stablehlo.convert %77 : (tensor<6x20xf32>) -> tensor<6x20xbf16>
    %79 = stablehlo.constant dense<0> : tensor<i32>
    %80 = stablehlo.constant dense<1> : tensor<i32>
    %81 = stablehlo.constant dense<6> : tensor<i32>
    %82 = stablehlo.constant dense<0.0> : tensor<6x66xf32>
    %83:2 = stablehlo.while(%84 = %79, %85 = %82) : tensor<i32>, tensor<6x66xf32>
    cond {
      %86 = stablehlo.compare LT, %84, %81, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
      stablehlo.return %86 : tensor<i1>
    } do {
    %87 = stablehlo.constant dense<1> : tensor<i32>
    %88 = stablehlo.multiply %84, %87 : tensor<i32>
    %89 = stablehlo.constant dense<0> : tensor<i32>
    %90 = stablehlo.dynamic_slice %78, %88, %89, sizes = [1, 20] : (tensor<6x20xbf16>, tensor<i32>, tensor<i32>) -> tensor<1x20xbf16>
    %91 = stablehlo.dynamic_slice %17, %84, sizes = [1] : (tensor<6xi32>, tensor<i32>) -> tensor<1xi32>
    %92 = stablehlo.reshape %91 : (tensor<1xi32>) -> tensor<i32>
    %93 = stablehlo.constant dense<3> : tensor<i32>
    %94 = stablehlo.minimum %92, %93 : tensor<i32>
    %95 = stablehlo.constant dense<0> : tensor<i32>
    %96 = stablehlo.dynamic_slice %11, %94, %95, %95, sizes = [1, 66, 20] : (tensor<4x66x20xbf16>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x66x20xbf16>
    %97 = stablehlo.reshape %96 : (tensor<1x66x20xbf16>) -> tensor<66x20xbf16>
    %98 = stablehlo.dot_general %90, %97, contracting_dims = [1] x [1] : (tensor<1x20xbf16>, tensor<66x20xbf16>) -> tensor<1x66xf32>
    %99 = stablehlo.constant dense<0> : tensor<i32>
    %100 = stablehlo.dynamic_update_slice %85, %98, %88, %99 : (tensor<6x66xf32>, tensor<1x66xf32>, tensor<i32>, tensor<i32>) -> tensor<6x66xf32>
    %101 = stablehlo.add %84, %80 : tensor<i32>
    stablehlo.return %101, %100 : tensor<i32>, tensor<6x66xf32>
    }
    %102 = stablehlo.convert %83#1 : (tensor<6x66xf32>) -> tensor<6x66xbf16>
    %103 = stablehlo.reshape %102 : (tensor<6x66xbf16>) -> tensor<3x2x66xbf16>
    %104 = stablehlo.convert %103 : (tensor<3x2x66xbf16>) -> tensor<3x2x66xf32>
    %105 = stablehlo.constant dense<0.0> : tensor<f32>
    %106 = stablehlo.reduce(%104 init: %105) applies stablehlo.add across dimensions = [1] : (tensor<3x2x66xf32>, tensor<f32>) -> tensor<3x66xf32>
    %107 = stablehlo.convert %106 : (tensor<3x66xf32>) -> tensor<3x66xbf16>
    %108 = stablehlo.add %arg3, %107 : tensor<3x66xbf16>
    return %108 : tensor<3x66xbf16>
  }
}
