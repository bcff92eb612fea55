module @swiglu_grouped_down attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main(%arg0: tensor<6x19xf32>, %arg1: tensor<6x19xf32>, %arg2: tensor<6xf32>, %arg3: tensor<3x4x19xf32>, %arg4: tensor<2xi32>, %arg5: tensor<6x4xf32>) -> (tensor<6x4xf32>, tensor<6x19xf32>, tensor<6x19xf32>, tensor<6xf32>, tensor<3x4x19xf32>) {
    %0 = stablehlo.logistic %arg0 : tensor<6x19xf32>
    %1 = stablehlo.multiply %arg0, %0 : tensor<6x19xf32>
    %2 = stablehlo.multiply %1, %arg1 : tensor<6x19xf32>
    %3 = stablehlo.broadcast_in_dim %arg2, dims = [0] : (tensor<6xf32>) -> tensor<6x19xf32>
    %4 = stablehlo.multiply %2, %3 : tensor<6x19xf32>
    %5 = stablehlo.constant dense<0> : tensor<i32>
    %6 = stablehlo.constant dense<1> : tensor<i32>
    %7 = stablehlo.constant dense<2> : tensor<i32>
    %8 = stablehlo.constant dense<0.0> : tensor<6x4xf32>
    %9:2 = stablehlo.while(%10 = %5, %11 = %8) : tensor<i32>, tensor<6x4xf32>
    cond {
      %12 = stablehlo.compare LT, %10, %7, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
      stablehlo.return %12 : tensor<i1>
    } do {
    %13 = stablehlo.constant dense<3> : tensor<i32>
    %14 = stablehlo.multiply %10, %13 : tensor<i32>
    %15 = stablehlo.constant dense<0> : tensor<i32>
    %16 = stablehlo.dynamic_slice %4, %14, %15, sizes = [3, 19] : (tensor<6x19xf32>, tensor<i32>, tensor<i32>) -> tensor<3x19xf32>
    %17 = stablehlo.dynamic_slice %arg4, %10, sizes = [1] : (tensor<2xi32>, tensor<i32>) -> tensor<1xi32>
    %18 = stablehlo.reshape %17 : (tensor<1xi32>) -> tensor<i32>
    %19 = stablehlo.constant dense<2> : tensor<i32>
    %20 = stablehlo.minimum %18, %19 : tensor<i32>
    %21 = stablehlo.constant dense<0> : tensor<i32>
    %22 = stablehlo.dynamic_slice %arg3, %20, %21, %21, sizes = [1, 4, 19] : (tensor<3x4x19xf32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x4x19xf32>
    %23 = stablehlo.reshape %22 : (tensor<1x4x19xf32>) -> tensor<4x19xf32>
    %24 = stablehlo.dot_general %16, %23, contracting_dims = [1] x [1], precision = [HIGHEST, HIGHEST] : (tensor<3x19xf32>, tensor<4x19xf32>) -> tensor<3x4xf32>
    %25 = stablehlo.constant dense<0> : tensor<i32>
    %26 = stablehlo.dynamic_update_slice %11, %24, %14, %25 : (tensor<6x4xf32>, tensor<3x4xf32>, tensor<i32>, tensor<i32>) -> tensor<6x4xf32>
    %27 = stablehlo.add %10, %6 : tensor<i32>
    stablehlo.return %27, %26 : tensor<i32>, tensor<6x4xf32>
    }
    %28 = stablehlo.constant dense<0> : tensor<i32>
    %29 = stablehlo.constant dense<1> : tensor<i32>
    %30 = stablehlo.constant dense<2> : tensor<i32>
    %31 = stablehlo.constant dense<0.0> : tensor<6x19xf32>
    %32:2 = stablehlo.while(%33 = %28, %34 = %31) : tensor<i32>, tensor<6x19xf32>
    cond {
      %35 = stablehlo.compare LT, %33, %30, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
      stablehlo.return %35 : tensor<i1>
    } do {
    %36 = stablehlo.constant dense<3> : tensor<i32>
    %37 = stablehlo.multiply %33, %36 : tensor<i32>
    %38 = stablehlo.constant dense<0> : tensor<i32>
    %39 = stablehlo.dynamic_slice %arg5, %37, %38, sizes = [3, 4] : (tensor<6x4xf32>, tensor<i32>, tensor<i32>) -> tensor<3x4xf32>
    %40 = stablehlo.dynamic_slice %arg4, %33, sizes = [1] : (tensor<2xi32>, tensor<i32>) -> tensor<1xi32>
    %41 = stablehlo.reshape %40 : (tensor<1xi32>) -> tensor<i32>
    %42 = stablehlo.constant dense<2> : tensor<i32>
    %43 = stablehlo.minimum %41, %42 : tensor<i32>
    %44 = stablehlo.constant dense<0> : tensor<i32>
    %45 = stablehlo.dynamic_slice %arg3, %43, %44, %44, sizes = [1, 4, 19] : (tensor<3x4x19xf32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x4x19xf32>
    %46 = stablehlo.reshape %45 : (tensor<1x4x19xf32>) -> tensor<4x19xf32>
    %47 = stablehlo.dot_general %39, %46, contracting_dims = [1] x [0], precision = [HIGHEST, HIGHEST] : (tensor<3x4xf32>, tensor<4x19xf32>) -> tensor<3x19xf32>
    %48 = stablehlo.constant dense<0> : tensor<i32>
    %49 = stablehlo.dynamic_update_slice %34, %47, %37, %48 : (tensor<6x19xf32>, tensor<3x19xf32>, tensor<i32>, tensor<i32>) -> tensor<6x19xf32>
    %50 = stablehlo.add %33, %29 : tensor<i32>
    stablehlo.return %50, %49 : tensor<i32>, tensor<6x19xf32>
    }
    %51 = stablehlo.multiply %32#1, %3 : tensor<6x19xf32>
    %52 = stablehlo.multiply %51, %arg1 : tensor<6x19xf32>
    %53 = stablehlo.multiply %52, %0 : tensor<6x19xf32>
    %54 = stablehlo.negate %0 : tensor<6x19xf32>
    %55 = stablehlo.constant dense<1.0> : tensor<f32>
    %56 = stablehlo.broadcast_in_dim %55, dims = [] : (tensor<f32>) -> tensor<6x19xf32>
    %57 = stablehlo.add %54, %56 : tensor<6x19xf32>
    %58 = stablehlo.multiply %arg0, %57 : tensor<6x19xf32>
    %59 = stablehlo.add %58, %56 : tensor<6x19xf32>
    %60 = stablehlo.multiply %53, %59 : tensor<6x19xf32>
    %61 = stablehlo.multiply %51, %arg0 : tensor<6x19xf32>
    %62 = stablehlo.multiply %61, %0 : tensor<6x19xf32>
    %63 = stablehlo.multiply %32#1, %2 : tensor<6x19xf32>
    %64 = stablehlo.constant dense<0.0> : tensor<f32>
    %65 = stablehlo.reduce(%63 init: %64) applies stablehlo.add across dimensions = [1] : (tensor<6x19xf32>, tensor<f32>) -> tensor<6xf32>
    %66 = stablehlo.constant dense<0> : tensor<i32>
    %67 = stablehlo.constant dense<1> : tensor<i32>
    %68 = stablehlo.constant dense<2> : tensor<i32>
    %69 = stablehlo.constant dense<0.0> : tensor<3x4x19xf32>
    %70:2 = stablehlo.while(%71 = %66, %72 = %69) : tensor<i32>, tensor<3x4x19xf32>
    cond {
      %73 = stablehlo.compare LT, %71, %68, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
      stablehlo.return %73 : tensor<i1>
    } do {
    %74 = stablehlo.constant dense<3> : tensor<i32>
    %75 = stablehlo.multiply %71, %74 : tensor<i32>
    %76 = stablehlo.constant dense<0> : tensor<i32>
    %77 = stablehlo.dynamic_slice %arg5, %75, %76, sizes = [3, 4] : (tensor<6x4xf32>, tensor<i32>, tensor<i32>) -> tensor<3x4xf32>
    %78 = stablehlo.constant dense<0> : tensor<i32>
    %79 = stablehlo.dynamic_slice %4, %75, %78, sizes = [3, 19] : (tensor<6x19xf32>, tensor<i32>, tensor<i32>) -> tensor<3x19xf32>
    %80 = stablehlo.dot_general %77, %79, contracting_dims = [0] x [0], precision = [HIGHEST, HIGHEST] : (tensor<3x4xf32>, tensor<3x19xf32>) -> tensor<4x19xf32>
    %81 = stablehlo.reshape %80 : (tensor<4x19xf32>) -> tensor<1x4x19xf32>
    %82 = stablehlo.dynamic_slice %arg4, %71, sizes = [1] : (tensor<2xi32>, tensor<i32>) -> tensor<1xi32>
    %83 = stablehlo.reshape %82 : (tensor<1xi32>) -> tensor<i32>
    %84 = stablehlo.constant dense<2> : tensor<i32>
    %85 = stablehlo.minimum %83, %84 : tensor<i32>
    %86 = stablehlo.constant dense<0> : tensor<i32>
    %87 = stablehlo.dynamic_slice %72, %85, %86, %86, sizes = [1, 4, 19] : (tensor<3x4x19xf32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x4x19xf32>
    %88 = stablehlo.add %87, %81 : tensor<1x4x19xf32>
    %89 = stablehlo.constant dense<0> : tensor<i32>
    %90 = stablehlo.dynamic_update_slice %72, %88, %85, %89, %89 : (tensor<3x4x19xf32>, tensor<1x4x19xf32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<3x4x19xf32>
    %91 = stablehlo.add %71, %67 : tensor<i32>
    stablehlo.return %91, %90 : tensor<i32>, tensor<3x4x19xf32>
    }
    return %9#1, %60, %62, %65, %70#1 : tensor<6x4xf32>, tensor<6x19xf32>, tensor<6x19xf32>, tensor<6xf32>, tensor<3x4x19xf32>
  }
}
